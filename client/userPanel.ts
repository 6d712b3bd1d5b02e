import { userPanelApi } from './api/panelMethods.ts';
import { startPanel } from './panels/startPanel.tsx';
import { UserPanelPage } from './surfaces/UserPanelPage.tsx';

void startPanel(userPanelApi, UserPanelPage, ({ t }) => t('userPanel.title'));
